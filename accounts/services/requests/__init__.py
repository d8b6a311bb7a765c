"""Requests: asked for, decided, carried out, ended. Each module imports only those on its left.

acts, deciders, planning, dates, pairs, carrying, passing, guards, drafting, submitting, deciding, evidence, pictures,
effects, ending, undoing; countersigning, house and gone stand beside them.
"""
