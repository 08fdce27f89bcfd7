"""`script/bench peers`: the same file made by what people use today, side by side with us (SPEC section 14)."""
