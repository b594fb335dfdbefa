"""What a user can do to jobs and runs; used by the command line and the app; prints nothing."""
