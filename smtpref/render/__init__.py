"""From a result to what is written: views for people, records for machines, and the one safe door for foreign text."""
