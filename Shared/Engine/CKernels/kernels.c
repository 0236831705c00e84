#include "CKernels.h"
typedef int ckernels_is_a_translation_unit;
