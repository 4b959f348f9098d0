"""What a pipeline does next, decided from what is stored of it and of the runs of its elements. No I/O, no clock."""
