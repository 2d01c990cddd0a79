"""The matrix of the indicators: what each concludes when its server fails."""
