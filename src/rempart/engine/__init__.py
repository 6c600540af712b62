"""The whole defence as one function: step(state, input) -> (state, commands)."""
