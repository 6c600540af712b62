"""Who people are to the station, what they prove themselves by, and what they may do."""
