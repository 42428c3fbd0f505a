/* gv.h: the whole public core. */
#ifndef GV_H
#define GV_H

#include "gv_appearance.h"
#include "gv_arena.h"
#include "gv_base.h"
#include "gv_builder.h"
#include "gv_column.h"
#include "gv_cpu.h"
#include "gv_digest.h"
#include "gv_fastq.h"
#include "gv_inflate.h"
#include "gv_kmer.h"
#include "gv_layout.h"
#include "gv_mapping.h"
#include "gv_measure.h"
#include "gv_name.h"
#include "gv_names.h"
#include "gv_os.h"
#include "gv_particle.h"
#include "gv_pipeline.h"
#include "gv_pool.h"
#include "gv_scan.h"
#include "gv_slices.h"
#include "gv_slots.h"
#include "gv_source.h"
#include "gv_span.h"
#include "gv_status.h"
#include "gv_tally.h"
#include "gv_voxel.h"

#endif
