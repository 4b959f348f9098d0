"""What the applications say to each other: messages, the sessions of master and worker, the WebSocket shell."""
