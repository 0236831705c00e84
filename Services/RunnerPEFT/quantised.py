"""Bases in eight or four bits with bitsandbytes, which is optional: a runner that has the package takes jobs whose setting `precision` asks
for such a base, and says so; one that has not is given none, and refuses what it is given all the same."""

import importlib
import logging

# What `precision` may ask for besides float32: eight bits as LLM.int8() has them (arXiv 2208.07339), four as QLoRA does (arXiv 2305.14314).
FORMS = ("int8", "nf4")


class Unsupported(Exception):
    """This runner can't learn over a base of that form."""


def version(load=importlib.import_module):
    """The version of bitsandbytes; nothing where it is not there, or does not run here."""
    try:
        return str(load("bitsandbytes").__version__)
    except Exception:  # A package whose libraries don't fit this machine fails in many ways, and serves as little as none.
        return None


def features(load=importlib.import_module):
    """What this runner can do besides, as jobs are placed by it."""
    return ["attribution-rows", *(FORMS if version(load) else ())]


def require(precision, load=importlib.import_module):
    """Refuses a form that this runner has not, before anything is loaded for it."""
    if precision not in FORMS:
        raise Unsupported(f"the base can't be had in {precision}: float32, {', '.join(FORMS)}")
    if not version(load):
        raise Unsupported(f"a base in {precision} takes bitsandbytes, which this runner has not (requirements-quantised.txt)")


def configuration(precision):
    """What transformers is told."""
    import torch
    import transformers

    # It says at every layer and step that eight-bit products take sixteen-bit numbers.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    if precision == "int8":
        return transformers.BitsAndBytesConfig(load_in_8bit=True)
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float32)
