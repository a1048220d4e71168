"""What lies on disk, in forms that several datasets share or that are long enough for a file."""
