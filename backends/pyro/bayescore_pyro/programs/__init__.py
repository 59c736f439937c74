"""Programs of one's own: their sites, their log density, and fits of them."""
