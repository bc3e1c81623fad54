# In place of @IMPORT@ in every wrapper. The folder is fixed at installation: a setting that a user can change must
# never decide which code the server runs.
import sys
if '@PKGLIBDIR@/logintel' not in sys.path:
    sys.path.insert(0, '@PKGLIBDIR@/logintel')
