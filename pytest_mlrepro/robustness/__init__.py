"""Does a model stand up to perturbation?"""
