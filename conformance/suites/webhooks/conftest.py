"""Shows what the assertions of `world` compared."""

import pytest

pytest.register_assert_rewrite("world")
