"""One module per kind of sink: a notice and a target -> the request to send. Pure: no clock, no network.

What happened comes in words from `lookout.notify.words`; a module here knows one medium's form, marks and limits.
"""
