"""From a server's `auth` to what its probe sends: references, tokens, client certificates, and when they expire.

    secrets      references -> values, remembered for five minutes
    oauth        the client credentials grant with its discovery, sans-I/O
    guarded      one request of it, over the probe's own network guard
    tokens       which token to use, and when to ask for another
    certificate  a client certificate as an SSL context
    expiry       when a credential expires
    keyring      all of it, for one server at a time

What goes wrong outside is a value (`Unavailable`, naming the step), never an exception, and never holds a secret.
"""
