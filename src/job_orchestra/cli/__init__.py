"""The command `orchestra`: one module per command group, each imported when its command is called."""
