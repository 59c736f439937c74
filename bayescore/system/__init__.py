"""What this machine gives and takes: files, processes, memory."""
