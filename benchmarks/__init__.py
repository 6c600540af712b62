"""Every figure of the README can be measured again from here."""
