"""Many runs: planned, launched, accounted for."""
