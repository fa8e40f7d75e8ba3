"""Conversion of a gdnsd 3 configuration directory to a site.

::

    config, $include'd files ──► vscf ──► reading ──► model ──┐
                                                              ├─► convert ──► site ──► write
    zones/* ──────────────────────────► zonefile ─────────────┘

``convert`` has the parts made by ``pops``, ``monitors``, ``pools``, ``stand_ins``, ``policies`` and ``ttls``.

What cannot be carried over is a finding with the place it stands at, what it means and what to do.
"""
