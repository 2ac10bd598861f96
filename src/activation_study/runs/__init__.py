"""One run carried out, resumed, reproduced."""
