"""What runs in a job's own process: its supervisor and its task."""
