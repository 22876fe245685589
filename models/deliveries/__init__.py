"""What handlers owe: the table, and every statement that writes it, by what it is for."""
