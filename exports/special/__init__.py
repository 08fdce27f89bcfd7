"""The special operators of SPEC section 5: groups, rewards, challenges, actions, purchases, anniversaries, ages.

Which attributes have them: `attributes.py`; their values: `reading.py`; their SQL, one subject a file: the others.
"""
