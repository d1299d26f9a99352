"""Several worker processes behind one port: a supervisor, its workers, and their metrics as one."""
