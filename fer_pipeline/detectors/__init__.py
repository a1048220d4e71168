"""Catalogue of face detectors: one file each, named as in params.yaml.

A file defines

load(device, **options) -> detect
detect(images) -> list[list[Face]]
              images: list of (H, W, 3) RGB uint8, any sizes; the faces of each, best score first
"""
