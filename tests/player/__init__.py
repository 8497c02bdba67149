"""The rooms of tests/play, the player of transcripts."""
