"""Decision records: the judged facts of a decision as classes and bits, and their replay under another policy."""
