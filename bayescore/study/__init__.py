"""The rule, measured: false alarms among identical backends, and detection of planted faults."""
