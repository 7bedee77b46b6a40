"""From an input to its records: opening, recognising, reading; nothing here judges."""
