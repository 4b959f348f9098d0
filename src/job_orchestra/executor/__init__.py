"""The executor host: a small process that carries out runs and outlives the worker that started it."""
