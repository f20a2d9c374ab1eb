"""The simulators that may run a program, each behind one port, each optional but Aer and our own sparse states.

`port` is what an engine is; `roster` lists all and tells which are installed. `traits` is what an engine asks about a
program before it takes it, `lowering` rewrites gates that an engine lacks, `ending` puts outcomes into classical bits.
The modules `on_*` each know one library; its trap doors (bit orders, signs, silent truncation) stop there. Whether an
engine may be believed is told by tests/conformance/test_engine.py, which every one of them has to pass.
"""
