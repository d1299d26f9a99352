"""The pages: a person sees and chooses at ``/choice``, a privacy engineer asks why at ``/inspect``."""
