"""Pictures as data: what a page knows becomes boxes, lines and bars with whole coordinates; templates draw them.

The graph of a pipeline follows the method of layers (Sugiyama, Tagawa and Toda, 1981): longest path, sweeps that order
each layer by the middle of its neighbours, and heights by least squares. Everything here is a function without I/O and
clock, and the same input always gives the same picture.
"""
