"""An activation, a loss and a network for activation-study."""
