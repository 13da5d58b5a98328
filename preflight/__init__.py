"""Whether what is wanted of an engine is possible there, asked before anything that runs is stopped.

`facts` asks, `obstacles` judges, and neither changes anything. Below the program and the `portal` command, which both use it.
"""
