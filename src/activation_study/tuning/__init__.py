"""The search for each arm's best values: its trials, read from run folders, and what Optuna says comes next."""
