"""Trains a model again without one of its parts at a time: what does each bring?"""
