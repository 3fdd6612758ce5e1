"""What SIS is: its kinds of objects, who may do what with them, their writes, history, hooks and files."""
