"""What every family shares: the engines, and helpers for arguments, arrays, modes, windows."""
