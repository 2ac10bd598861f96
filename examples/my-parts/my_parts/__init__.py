"""An activation, a loss, a network and a metric for activation-study."""
