"""From a person's table to a problem: files, formulas, default priors, remarks."""
