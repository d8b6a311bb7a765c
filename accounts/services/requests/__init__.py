"""Requests: asked for, decided, carried out, ended. Each module imports only those on its left.

acts, deciders, planning, dates, carrying, passing, drafting, submitting, deciding, ending.
"""
