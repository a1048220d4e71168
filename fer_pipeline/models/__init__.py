"""Catalogue of models: one file each, named as in params.yaml.

A file defines

INPUT         an `images.Input`: size, channels, mean, std, frames
build(num_classes, pretrained) -> torch.nn.Module
              stills: (N, channels, size, size) float32, normalised -> logits (N, num_classes);
              clips (INPUT.frames > 1): (N, frames, channels, size, size) and lengths (N,) int64
              -> logits; `pretrained` False, True (the hub's weights) or a path
head(model) -> torch.nn.Module
              the classifier; all before it is the feature extractor
cam_layer(model) -> torch.nn.Module
              the layer that Grad-CAM explains
"""
