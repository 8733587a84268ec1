"""A notice -> one request per sink: rendering, signing and retry policy are pure; `deliver` is the edge."""
