"""Why a decision was limited, and the smallest change that would have lifted the limit."""
