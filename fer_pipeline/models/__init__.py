"""Catalogue of models: one file each, named as in params.yaml.

A file defines

INPUT         an `images.Input`: size, channels, mean, std, frames
build(num_classes, pretrained, size, **options) -> torch.nn.Module
              stills: (N, channels, size, size) float32, normalised -> logits (N, num_classes);
              clips (INPUT.frames > 1): (N, frames, channels, size, size), lengths (N,) int64 and
              peaks (N,) int64, the place of the frame at the expression's height, -1 where it is
              not known -> logits; `pretrained` False, True (the hub's weights) or a file of
              weights; `size` INPUT.size unless the run sets another; `options` its own keywords,
              which params.yaml sets under `options`
head(model) -> torch.nn.Module
              the classifier; all before it is the feature extractor
cam_layer(model) -> torch.nn.Module
              the layer that Grad-CAM explains

Files that begin with an underscore hold what several models are made of.
"""
