"""Many runs: sweeps and what they say together."""
