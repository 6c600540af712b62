"""A whole box in a virtual machine, switched off and cut from power: what a test in namespaces cannot show."""
