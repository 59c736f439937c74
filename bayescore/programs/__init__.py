"""Programs of one's own as the subject of a comparison: is a port still the same model?"""
