"""The main job, end to end: documents, LangChain and LlamaIndex, one gateway, log ids, feedback, cache.

Run it with `make demo`, or with `python -m examples.demo` where `aigw[all]` and `rich` are installed.
"""
