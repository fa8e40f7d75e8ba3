"""What happens while queries are answered: scenarios of the live benchmark (``bench/live.py``)."""
