"""Any file a person has, read as chunks of text cells: formats, encodings, delimiters, headers."""
