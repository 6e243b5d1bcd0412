"""The operating system: child processes, temporary folders, threads, the cache folder, the heap."""
